namespace brasa {}
